# A program as any team might have it: nothing in it knows of an emulator.
import os

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope

connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
client = CommunicationIdentityClient.from_connection_string(connection_string)
user, access = client.create_user_and_token([CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP])
assert len(access.token.split(".")) == 3
assert client.get_token(user, [CommunicationTokenScope.VOIP]).token != access.token
client.revoke_tokens(user)
client.delete_user(user)
print(user.properties["id"], "deleted")
