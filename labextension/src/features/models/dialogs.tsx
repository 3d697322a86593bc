import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { useState } from 'react';

import { CommentField } from './comment';

const PORT = 8080;

/** Ask whether to go back to the version before; the comment, or null where nobody wants that. */
export async function askRollback(
  about: { model: string; back: string; leaves: string | null; url: string | null },
  trans: TranslationBundle
): Promise<string | null> {
  const { model, back, leaves, url } = about;
  let comment = '';
  const body = ReactWidget.create(
    <div className="jp-mlops-Dialog">
      <ul>
        <li>
          {url
            ? trans.__('Version %1 gets all the traffic of %2 as soon as its replicas are ready.', back, url)
            : trans.__('%1 is not deployed on the server’s machine, so there is no traffic to move.', model)}
        </li>
        <li>{trans.__('Version %1 goes back into production. It went through its gates before: none runs.', back)}</li>
        {leaves && <li>{trans.__('Version %1 leaves production, and stays the one to go back to in the same way.', leaves)}</li>}
      </ul>
      <CommentField id="mlops-rollback-comment" onChange={value => (comment = value)} trans={trans} />
    </div>
  );
  const answer = await showDialog({
    title: trans.__('Roll %1 Back to Version %2', model, back),
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.warnButton({ label: trans.__('Roll Back') })]
  });
  return answer.button.accept ? comment.trim() : null;
}

/** Ask where to serve the version in production; the port, or null. */
export async function askDeploy(about: { model: string; version: string }, trans: TranslationBundle): Promise<number | null> {
  let port = PORT;
  const body = ReactWidget.create(<PortField version={about.version} onChange={value => (port = value)} trans={trans} />);
  const answer = await showDialog({
    title: trans.__('Deploy %1', about.model),
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Deploy') })]
  });
  return answer.button.accept && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

function PortField(props: { version: string; onChange: (port: number) => void; trans: TranslationBundle }): JSX.Element {
  const { trans } = props;
  const [port, setPort] = useState(String(PORT));
  return (
    <div className="jp-mlops-Dialog">
      <p>
        {trans.__('Version %1, which is in production, is served on the server’s machine: replicas behind Envoy, at', props.version)}{' '}
        <code>http://127.0.0.1:{port}</code>
      </p>
      <div className="jp-mlops-Field">
        <label htmlFor="mlops-deploy-port">{trans.__('Port')}</label>
        <input
          id="mlops-deploy-port"
          className="jp-mod-styled"
          type="number"
          min={1}
          max={65_535}
          value={port}
          onChange={event => {
            setPort(event.target.value);
            props.onChange(Number(event.target.value));
          }}
        />
      </div>
    </div>
  );
}
