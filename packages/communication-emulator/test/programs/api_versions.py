# Goes through all api-versions that the SDK offers.
import os

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope
from azure.communication.identity._api_versions import ApiVersion

connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
for version in ApiVersion:
    client = CommunicationIdentityClient.from_connection_string(connection_string, api_version=version.value)
    user, access = client.create_user_and_token([CommunicationTokenScope.CHAT])
    assert len(access.token.split(".")) == 3
    assert client.get_token(user, [CommunicationTokenScope.VOIP]).token != access.token
    client.revoke_tokens(user)
    client.delete_user(client.create_user())
    client.delete_user(user)
    print(version.value)
