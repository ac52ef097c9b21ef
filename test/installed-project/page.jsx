import { tokenSource } from '@acs-kit/token-client'
import { tokenCredential } from '@acs-kit/token-client/credential'
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

const { url, accessToken } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const credential = tokenCredential(tokenSource({ url, getSignInToken: () => accessToken }))

function TokenStatus() {
  const [status, setStatus] = useState('waiting')
  useEffect(() => {
    credential.getToken().then(
      ({ expiresOnTimestamp }) => setStatus(expiresOnTimestamp > Date.now() ? 'valid' : 'expired'),
      (error) => setStatus(error.code),
    )
  }, [])
  return <output>{status}</output>
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <TokenStatus />
  </StrictMode>,
)
