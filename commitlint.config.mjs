export default {
  extends: ['@commitlint/config-conventional'],
  rules: { 'header-max-length': [2, 'always', 72], 'body-max-line-length': [0], 'footer-max-line-length': [0] },
  // Its headers contain names and versions, and cannot be shortened.
  ignores: [(message) => message.includes('\nSigned-off-by: dependabot[bot] <support@github.com>')],
}
