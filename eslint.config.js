import tseslint from "typescript-eslint";

/** Restrictions that keep time, chance and text-built SQL in their places. */
const impure = [
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "Random comes from edges.random.",
  },
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: "Time comes from edges.now.",
  },
];

export default tseslint.config(
  { ignores: ["build/", "data/", "node_modules/", "schema/"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.ts"],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/edges.ts", "src/main.ts", "src/server.ts", "src/cli/**"],
    rules: { "no-restricted-syntax": ["error", ...impure] },
  },
  {
    files: ["spec/**/*.ts", "test/**/*.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
);
