// Loaded only to create certificates: the X.509 library takes longer to load than the emulator to start.
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { AsnConvert } from '@peculiar/asn1-schema'
import * as asn1 from '@peculiar/asn1-x509'
import * as x509 from '@peculiar/x509'

/** A certificate and its key, PEM. */
export interface CertifiedKey {
  readonly certificate: string
  readonly privateKey: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 24 * 60 * 60_000

const serverName = 'CN=localhost'

/**
 * Creates a certificate authority that is limited to servers with loopback names and `hostnames`: a stolen key cannot sign for other
 * sites, clients, mail or code.
 */
export async function createAuthority(hostnames: readonly string[] = []): Promise<CertifiedKey> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  // A type that is not listed would permit every name. The name "invalid" is reserved and never used.
  const permitted = [
    { dNSName: 'localhost' },
    { iPAddress: '127.0.0.0/8' },
    { iPAddress: '::1/128' },
    ...hostnames.map((name) =>
      isIP(name) === 0 ? { dNSName: name } : { iPAddress: `${name}/${isIPv6(name) ? 128 : 32}` },
    ),
    { rfc822Name: 'invalid' },
    { uniformResourceIdentifier: 'invalid' },
    { directoryName: AsnConvert.parse(new x509.Name(serverName).toArrayBuffer(), asn1.Name) },
  ]
  const subtrees = permitted.map((base) => new asn1.GeneralSubtree({ base: new asn1.GeneralName(base) }))
  const constraints = new asn1.NameConstraints({ permittedSubtrees: new asn1.GeneralSubtrees(subtrees) })
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=acs-kit communication emulator (local stand-in)',
    ...validFor(10 * 365 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      // Not critical, because Go rejects critical constraints on directory names. Verifiers apply them either way.
      new x509.Extension(asn1.id_ce_nameConstraints, false, AsnConvert.serialize(constraints)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return toCertifiedKey(certificate, keys)
}

/** Creates a server certificate for the loopback names and `hostnames`. Some platforms accept at most 397 days. */
export async function createServerCertificate(
  authority: CertifiedKey,
  hostnames: readonly string[] = [],
): Promise<CertifiedKey> {
  const issuer = new x509.X509Certificate(authority.certificate)
  const issuerKey = x509.PemConverter.decode(authority.privateKey)[0]!
  const signingKey = await crypto.subtle.importKey('pkcs8', issuerKey, algorithm, false, ['sign'])
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: serverName,
    issuer: issuer.subject,
    ...validFor(397 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: '*.localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        ...hostnames.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return toCertifiedKey(certificate, keys)
}

function validFor(duration: number) {
  // Valid since yesterday, because clocks of machines and containers may differ.
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + duration) }
}

async function toCertifiedKey(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<CertifiedKey> {
  const privateKey = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), privateKey: x509.PemConverter.encode(privateKey, 'PRIVATE KEY') }
}
