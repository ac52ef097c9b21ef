# Microsoft's access-token quickstart with the Python SDK. Needs: pip install azure-communication-identity
import os

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope

client = CommunicationIdentityClient.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])

user = client.create_user()
print("created", user.properties["id"])

voip = client.get_token(user, [CommunicationTokenScope.VOIP])
print("issued a voip token that expires on", voip.expires_on)

chat = client.get_token(user, [CommunicationTokenScope.CHAT])
print("issued a chat token that expires on", chat.expires_on)

refreshed = client.get_token(user, [CommunicationTokenScope.VOIP])
print("refreshed the voip token, which expires on", refreshed.expires_on)

client.revoke_tokens(user)
print("revoked all tokens")

client.delete_user(user)
print("deleted the identity")
