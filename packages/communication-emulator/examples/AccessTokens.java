// Microsoft's access-token quickstart with the Java SDK. Needs: com.azure:azure-communication-identity on the class path
import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.communication.identity.CommunicationIdentityClient;
import com.azure.communication.identity.CommunicationIdentityClientBuilder;
import com.azure.communication.identity.models.CommunicationTokenScope;
import com.azure.core.credential.AccessToken;
import java.util.List;

class AccessTokens {
    public static void main(String[] arguments) {
        CommunicationIdentityClient client = new CommunicationIdentityClientBuilder()
            .connectionString(System.getenv("COMMUNICATION_SERVICES_CONNECTION_STRING"))
            .buildClient();

        CommunicationUserIdentifier user = client.createUser();
        System.out.println("created " + user.getId());

        AccessToken voip = client.getToken(user, List.of(CommunicationTokenScope.VOIP));
        System.out.println("issued a voip token that expires on " + voip.getExpiresAt());

        AccessToken chat = client.getToken(user, List.of(CommunicationTokenScope.CHAT));
        System.out.println("issued a chat token that expires on " + chat.getExpiresAt());

        AccessToken refreshed = client.getToken(user, List.of(CommunicationTokenScope.VOIP));
        System.out.println("refreshed the voip token, which expires on " + refreshed.getExpiresAt());

        client.revokeTokens(user);
        System.out.println("revoked all tokens");

        client.deleteUser(user);
        System.out.println("deleted the identity");
        // The SDK's HTTP client leaves threads running.
        System.exit(0);
    }
}
