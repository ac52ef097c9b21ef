/** Seed of all generated requests, the same in every run by default. */
export const testSeed = Number(process.env['COMMUNICATION_TEST_SEED'] ?? 20_261_123)
