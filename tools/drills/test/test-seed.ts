/** The same requests in every run, unless others are asked for. */
export const testSeed = Number(process.env['COMMUNICATION_TEST_SEED'] ?? 20_261_123)
