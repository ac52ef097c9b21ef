// A program as any team might have it: nothing in it knows of an emulator.
import com.azure.communication.common.CommunicationUserIdentifier;
import com.azure.communication.identity.CommunicationIdentityClient;
import com.azure.communication.identity.CommunicationIdentityClientBuilder;
import com.azure.communication.identity.models.CommunicationTokenScope;
import java.util.List;

class RoundTrip {
    public static void main(String[] arguments) {
        CommunicationIdentityClient client = new CommunicationIdentityClientBuilder()
            .connectionString(System.getenv("COMMUNICATION_SERVICES_CONNECTION_STRING"))
            .buildClient();
        CommunicationUserIdentifier user = client.createUser();
        String token = client.getToken(user, List.of(CommunicationTokenScope.CHAT)).getToken();
        if (token.split("\\.").length != 3) throw new IllegalStateException("no token");
        client.revokeTokens(user);
        client.deleteUser(user);
        System.out.println(user.getId() + " deleted");
        // The SDK's HTTP client leaves threads behind.
        System.exit(0);
    }
}
