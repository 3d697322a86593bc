const path = require('path');
const lab = require('@jupyterlab/testutils/lib/jest-config');

const config = lab(path.resolve(__dirname, '..'));
const modern = ['@codemirror', '@jupyter/', '@jupyterlab/', '@microsoft/', '@rjsf', 'exenv-es6', 'lib0', 'nanoid', 'vscode-ws-jsonrpc', 'y-', 'yjs'];

module.exports = {
  ...config,
  rootDir: __dirname,
  reporters: ['default'],
  testRegex: 'src/.*\\.spec\\.tsx?$',
  moduleNameMapper: { ...config.moduleNameMapper },
  transform: {
    ...config.transform,
    '^.+\\.jsx?$': ['babel-jest', { configFile: require.resolve('@jupyterlab/testutils/lib/babel.config') }],
    '^.+\\.tsx?$': ['ts-jest/legacy', { tsconfig: path.join(__dirname, 'tsconfig.json') }]
  },
  transformIgnorePatterns: [`/node_modules/(?!.*(${modern.join('|')}))`]
};
