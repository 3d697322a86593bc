import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';

import { ApiError } from '../../api/client';
import { Failure } from '../../components/state';
import { VERSION } from '../../version';
import type { ServerState } from './status';

/** What stands above all sections when the server extension or MLflow is not as it should be; else nothing. */
export class Banner extends ReactWidget {
  constructor(
    private readonly server: ServerState,
    private readonly retry: () => void,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mlops-Banner');
    server.changed.connect(() => this.update());
  }

  protected render(): JSX.Element {
    const { server, trans } = this;
    const error = server.error ?? this.version() ?? this.tracking();
    return error ? <Failure error={error} trans={trans} retry={this.retry} /> : <></>;
  }

  private version(): ApiError | null {
    const other = this.server.mismatch;
    return other === null
      ? null
      : new ApiError(
          'version',
          this.trans.__('This page is version %1 of jupyter-mlops, the server extension is version %2.', VERSION, other),
          this.trans.__('Reload the page; if that does not help, start the Jupyter server again.')
        );
  }

  private tracking(): ApiError | null {
    const tracking = this.server.status?.tracking;
    return tracking && !tracking.reachable
      ? new ApiError('tracking', this.trans.__('MLflow at %1 does not answer.', tracking.uri), tracking.message)
      : null;
  }
}
