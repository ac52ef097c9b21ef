import type * as Contract from '@acs-kit/token-contract'
import { expectTypeOf, test } from 'vitest'
import type * as Client from '../src/index.ts'

// Checked by the compiler; nothing happens at run time.
test('copies the types of the contract', () => {
  expectTypeOf<Client.Scope>().toEqualTypeOf<Contract.Scope>()
  expectTypeOf<Client.TokenResponse>().toEqualTypeOf<Contract.TokenResponse>()
  expectTypeOf<Client.IdentityResponse>().toEqualTypeOf<Contract.IdentityResponse>()
  expectTypeOf<Client.ProblemCode>().toEqualTypeOf<Contract.ProblemCode>()
  expectTypeOf<keyof Client.TokenRequest | 'refresh'>().toEqualTypeOf<keyof Contract.TokenRequest>()
  expectTypeOf<Omit<Contract.TokenRequest, 'refresh'>>().toExtend<Client.TokenRequest>()
})
