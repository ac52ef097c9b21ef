// Microsoft's access-token quickstart with the .NET SDK. Run it with .NET 10: dotnet run AccessTokens.cs
#:package Azure.Communication.Identity@1.3.1
using Azure.Communication.Identity;

var connectionString = Environment.GetEnvironmentVariable("COMMUNICATION_SERVICES_CONNECTION_STRING");
var client = new CommunicationIdentityClient(connectionString);

var user = (await client.CreateUserAsync()).Value;
Console.WriteLine($"created {user.Id}");

var voip = (await client.GetTokenAsync(user, [CommunicationTokenScope.VoIP])).Value;
Console.WriteLine($"issued a voip token that expires on {voip.ExpiresOn:O}");

var chat = (await client.GetTokenAsync(user, [CommunicationTokenScope.Chat])).Value;
Console.WriteLine($"issued a chat token that expires on {chat.ExpiresOn:O}");

var refreshed = (await client.GetTokenAsync(user, [CommunicationTokenScope.VoIP])).Value;
Console.WriteLine($"refreshed the voip token, which expires on {refreshed.ExpiresOn:O}");

await client.RevokeTokensAsync(user);
Console.WriteLine("revoked all tokens");

await client.DeleteUserAsync(user);
Console.WriteLine("deleted the identity");
