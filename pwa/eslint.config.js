import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['dist', 'public', 'coverage'] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.ts'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // `() => (seen = true)` and `() => listeners.delete(it)` read well; what they return is nobody's business.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A number in a template is exactly what it looks like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The compiler asks for brackets on index signatures (noPropertyAccessFromIndexSignature).
      '@typescript-eslint/dot-notation': 'off',
      // Reading a `$state` for its own sake is how a `$derived` depends on it.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // A fake that answers at once keeps the signature of the real one.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      // What a component hands to a callback is `any` to the linter, and globals are unknown to it; svelte-check knows better.
      'no-undef': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Beside other snippets, naming the rest reads better than leaving it loose.
      'svelte/no-useless-children-snippet': 'off',
      // Compiles without our options, and so misses warnings that svelte-check does give.
      'svelte/no-unused-svelte-ignore': 'off',
      // `let { value = $bindable() } = $props()` mixes what changes with what does not.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { destructuring: 'all' }],
    },
  },
  { files: ['scripts/**', '*.js', '*.ts'], languageOptions: { globals: globals.node } },
  {
    // Tools outside the app: their own file formats want default exports, and they print.
    files: ['*.js', '*.ts', 'scripts/**'],
    extends: [ts.configs.disableTypeChecked],
    rules: { 'no-console': 'off', 'no-restricted-exports': 'off' },
  },
);
