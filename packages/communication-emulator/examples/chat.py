# Microsoft's chat quickstart with the Python SDK. Needs: pip install azure-communication-chat azure-communication-identity
import os

from azure.communication.chat import ChatClient, ChatParticipant, CommunicationTokenCredential
from azure.communication.identity import CommunicationIdentityClient

endpoint = os.environ["COMMUNICATION_SERVICES_ENDPOINT"]
identities = CommunicationIdentityClient.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])


def create_person():
    user, token = identities.create_user_and_token(["chat"])
    return user, ChatClient(endpoint, CommunicationTokenCredential(token.token))


alice, alice_client = create_person()
bob, bob_client = create_person()

result = alice_client.create_chat_thread(
    "Lunch",
    thread_participants=[
        ChatParticipant(identifier=alice, display_name="Alice"),
        ChatParticipant(identifier=bob, display_name="Bob"),
    ],
)
thread = result.chat_thread
print("created a thread:", thread.topic)

at_alice = alice_client.get_chat_thread_client(thread.id)
at_bob = bob_client.get_chat_thread_client(thread.id)
at_alice.send_message("Noon?", sender_display_name="Alice")
for message in at_bob.list_messages():
    if message.type == "text":
        print(f"{message.sender_display_name}: {message.content.message}")
at_bob.send_typing_notification()
sent = at_bob.send_message("Yes.", sender_display_name="Bob")
at_alice.send_read_receipt(sent.id)
for receipt in at_bob.list_read_receipts():
    print("read by", receipt.sender.properties["id"])

at_bob.remove_participant(bob)
for participant in at_alice.list_participants():
    print("still there:", participant.display_name)
alice_client.delete_chat_thread(thread.id)
print("deleted the thread")
