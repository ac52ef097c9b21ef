// Loaded only to create certificates: the X.509 library takes longer to load than the emulator to start.
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  Name as AsnName,
  NameConstraints,
} from '@peculiar/asn1-x509'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

export interface CertifiedKey {
  readonly certificate: string
  readonly privateKey: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 24 * 60 * 60_000

const serverName = 'CN=localhost'

/**
 * Creates a certificate authority that is limited to servers with loopback names: a stolen key cannot sign for other sites, clients,
 * mail or code.
 */
export async function createAuthority(): Promise<CertifiedKey> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  // A type that is not listed would permit every name. The name "invalid" is reserved and never used.
  const permitted = [
    { dNSName: 'localhost' },
    { iPAddress: '127.0.0.0/8' },
    { iPAddress: '::1/128' },
    { rfc822Name: 'invalid' },
    { uniformResourceIdentifier: 'invalid' },
    { directoryName: AsnConvert.parse(new Name(serverName).toArrayBuffer(), AsnName) },
  ]
  const constraints = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(
      permitted.map((base) => new GeneralSubtree({ base: new GeneralName(base) })),
    ),
  })
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=acs-kit communication emulator (local stand-in)',
    ...validFor(10 * 365 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      // Not critical, because Go rejects critical constraints on directory names. Verifiers apply them either way.
      new Extension(id_ce_nameConstraints, false, AsnConvert.serialize(constraints)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), privateKey: await toPem(keys.privateKey) }
}

/** Creates a server certificate for the loopback names. Some platforms accept at most 397 days. */
export async function createServerCertificate(authority: CertifiedKey): Promise<CertifiedKey> {
  const issuer = new X509Certificate(authority.certificate)
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    PemConverter.decode(authority.privateKey)[0]!,
    algorithm,
    false,
    ['sign'],
  )
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    subject: serverName,
    issuer: issuer.subject,
    ...validFor(397 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: '*.localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await AuthorityKeyIdentifierExtension.create(issuer),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), privateKey: await toPem(keys.privateKey) }
}

function validFor(duration: number) {
  // Valid since yesterday, because clocks of machines and containers may differ.
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + duration) }
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}
