// Microsoft's chat quickstart with the Java SDK. Needs: com.azure:azure-communication-chat, com.azure:azure-communication-identity
import com.azure.communication.chat.ChatClient;
import com.azure.communication.chat.ChatClientBuilder;
import com.azure.communication.chat.models.ChatMessageType;
import com.azure.communication.chat.models.ChatParticipant;
import com.azure.communication.chat.models.CreateChatThreadOptions;
import com.azure.communication.chat.models.SendChatMessageOptions;
import com.azure.communication.common.CommunicationTokenCredential;
import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.communication.identity.CommunicationIdentityClient;
import com.azure.communication.identity.CommunicationIdentityClientBuilder;
import com.azure.communication.identity.models.CommunicationTokenScope;
import java.util.List;

class Chat {
  record Person(CommunicationUserIdentifier user, ChatClient client) {}

  static Person createPerson(CommunicationIdentityClient identities) {
    var created = identities.createUserAndToken(List.of(CommunicationTokenScope.CHAT));
    var client =
        new ChatClientBuilder()
            .endpoint(System.getenv("COMMUNICATION_SERVICES_ENDPOINT"))
            .credential(new CommunicationTokenCredential(created.getUserToken().getToken()))
            .buildClient();
    return new Person(created.getUser(), client);
  }

  public static void main(String[] arguments) {
    var identities =
        new CommunicationIdentityClientBuilder()
            .connectionString(System.getenv("COMMUNICATION_SERVICES_CONNECTION_STRING"))
            .buildClient();
    var alice = createPerson(identities);
    var bob = createPerson(identities);

    var options =
        new CreateChatThreadOptions("Lunch")
            .setParticipants(
                List.of(
                    new ChatParticipant().setCommunicationIdentifier(alice.user()).setDisplayName("Alice"),
                    new ChatParticipant().setCommunicationIdentifier(bob.user()).setDisplayName("Bob")));
    var thread = alice.client().createChatThread(options).getChatThread();
    System.out.println("created a thread: " + thread.getTopic());

    var atAlice = alice.client().getChatThreadClient(thread.getId());
    var atBob = bob.client().getChatThreadClient(thread.getId());
    atAlice.sendMessage(new SendChatMessageOptions().setContent("Noon?").setSenderDisplayName("Alice"));
    for (var message : atBob.listMessages()) {
      if (ChatMessageType.TEXT.equals(message.getType())) {
        System.out.println(message.getSenderDisplayName() + ": " + message.getContent().getMessage());
      }
    }
    atBob.sendTypingNotification();
    var sent = atBob.sendMessage(new SendChatMessageOptions().setContent("Yes.").setSenderDisplayName("Bob"));
    atAlice.sendReadReceipt(sent.getId());
    for (var receipt : atBob.listReadReceipts()) {
      System.out.println("read by " + ((CommunicationUserIdentifier) receipt.getSender()).getId());
    }

    atBob.removeParticipant(bob.user());
    for (var participant : atAlice.listParticipants()) {
      System.out.println("still there: " + participant.getDisplayName());
    }
    alice.client().deleteChatThread(thread.getId());
    System.out.println("deleted the thread");
  }
}
