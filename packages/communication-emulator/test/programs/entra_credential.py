# Exchanges the tokens of an assigned user with the SDK's credential, with and without a slash at the end of the endpoint.
import json
import os
from datetime import datetime
from urllib.request import Request, urlopen

# Not exported yet by any package; the clients for chat and calls contain the same file.
from azure.communication.callautomation._shared.user_credential import CommunicationTokenCredential
from azure.core.credentials import AccessToken

endpoint = os.environ["COMMUNICATION_SERVICES_ENDPOINT"].rstrip("/")
tenant = "acac0000-0000-4000-8000-000000000001"
application = "acac0000-0000-4000-8000-000000000002"


def call(method, path, body, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with urlopen(Request(endpoint + path, json.dumps(body).encode(), headers, method=method)) as response:
        return json.load(response)


def sign_in(audience):
    return call("POST", "/_emulator/entra/sign-in", {"user": "alice", "audience": audience})


class SignIn:
    """Replaces a credential of azure-identity, which would open a browser."""

    def get_token(self, *scopes, **_):
        signed_in = sign_in(scopes[0].rsplit("/", 1)[0])
        return AccessToken(signed_in["accessToken"], int(datetime.fromisoformat(signed_in["expiresOn"]).timestamp()))


administrator = sign_in("https://communication.azure.com/")
extension = f"/access/teamsExtension/tenants/{tenant}/assignments/{administrator['oid']}?api-version=2025-06-30"
others = f"/access/entra/assignments/{administrator['oid']}?api-version=2025-03-02-preview"
assignment = {"principalType": "user", "clientIds": [application], "tenantId": tenant}
for path in extension, others:
    call("PUT", path, assignment, administrator["accessToken"])

for resource_endpoint in endpoint, endpoint + "/":
    for scopes in ["https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"], None:
        with CommunicationTokenCredential(
            resource_endpoint=resource_endpoint, token_credential=SignIn(), scopes=scopes
        ) as credential:
            token = credential.get_token().token
        print(call("POST", "/_emulator/introspect", {"token": token})["communicationUserId"].count("_"))
