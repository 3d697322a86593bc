import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';

import { Button } from './state';

/** A button that copies a text, and says that it did. */
export function CopyButton(props: { text: () => string; children: string; trans: TranslationBundle }): JSX.Element {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? window.setTimeout(() => setCopied(false), 2500) : 0;
    return () => window.clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <Button
        onClick={() => {
          Clipboard.copyToSystem(props.text());
          setCopied(true);
        }}
      >
        {props.children}
      </Button>
      <span role="status" aria-live="polite">
        {copied && props.trans.__('Copied')}
      </span>
    </>
  );
}
