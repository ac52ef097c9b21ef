// Script of a page that signs users in with Entra ID and exchanges their tokens; also of the page that a sign-in returns to.
import { broadcastResponseToMainFrame } from '@azure/msal-browser/redirect-bridge'

export { AzureCommunicationTokenCredential } from '@azure/communication-common'
export { InteractiveBrowserCredential } from '@azure/identity'

if (location.pathname === '/signed-in') void broadcastResponseToMainFrame()
