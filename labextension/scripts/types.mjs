// TypeScript types of the messages from their JSON Schemas, and the version. `--check` only says whether they are up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { compileFromFile } from 'json-schema-to-typescript';

const here = dirname(fileURLToPath(import.meta.url));
const schema = join(here, '../../jupyter_mlops/schema');
const schemas = join(schema, 'api');
const target = join(here, '../src/api/messages');
const version = JSON.parse(readFileSync(join(here, '../../package.json'), 'utf-8')).version;
const check = process.argv.includes('--check');
let stale = false;

function put(path, text, source) {
  if (!check) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf-8') !== text) {
    console.error(`${path} is not what ${source} says. Run: jlpm types`);
    stale = true;
  }
}

put(join(here, '../src/version.ts'), `/* From package.json by \`jlpm types\`. */\nexport const VERSION = '${version}';\n`, 'package.json');
async function compile(path, name) {
  return compileFromFile(path, {
    bannerComment: `/* From jupyter_mlops/schema/${name} by \`jlpm types\`. */`,
    maxItems: -1,
    style: { printWidth: 120, singleQuote: true, trailingComma: 'none' }
  });
}

for (const file of readdirSync(schemas).sort()) {
  put(join(target, file.replace('.yaml', '.ts')), await compile(join(schemas, file), `api/${file}`), file);
}
for (const name of ['report', 'monitor']) {
  const source = `${name}.schema.json`;
  put(join(target, `${name}.ts`), await compile(join(schema, source), source), source);
}
const events = join(schema, 'events/job.yaml');
const id = /^\$id: (.*)$/m.exec(readFileSync(events, 'utf-8'))[1];
const emitted = (await compile(events, 'events/job.yaml')).replaceAll('JobEvent', 'EmittedJobEvent');
put(join(target, 'events.ts'), `${emitted}\nexport const JOB_EVENTS = '${id}';\n`, 'events/job.yaml');
process.exitCode = stale ? 1 : 0;
