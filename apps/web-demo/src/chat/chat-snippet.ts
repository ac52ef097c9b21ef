import { showSnippet } from '../snippet.ts'

/** Shows the calls of Azure's client that the page just made. */
export function showChatSnippet(...lines: string[]): void {
  showSnippet([
    "import { tokenCredential } from '@acs-kit/token-client/credential'",
    "import { ChatClient } from '@azure/communication-chat'",
    '',
    'const { endpoint } = await tokens.getToken()',
    'const chat = new ChatClient(endpoint, tokenCredential(tokens))',
    ...lines,
  ])
}

/** Shows a call for the open thread. */
export function showThreadSnippet(call: string): void {
  showChatSnippet('const thread = chat.getChatThreadClient(threadId)', call)
}
