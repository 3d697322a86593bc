import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import type { ReactElement } from 'react';

import { ApiError } from '../api/client';
import { Empty, Failure } from './state';

/** A widget whose content is loaded when it is shown for the first time. */
export class LazyWidget extends ReactWidget {
  constructor(
    private readonly load: () => Promise<ReactElement>,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mlops-Section');
  }

  /** Emits when it is shown or hidden. */
  get visibilityChanged(): ISignal<this, boolean> {
    return this._visibilityChanged;
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.begin();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._visibilityChanged.emit(false);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.begin();
    }
  }

  protected render(): ReactElement {
    if (this.error) {
      return <Failure error={this.error} trans={this.trans} retry={() => this.begin()} />;
    }
    return this.content ?? <Empty title={this.trans.__('Loading…')} />;
  }

  private begin(): void {
    this._visibilityChanged.emit(true);
    if (this.content || this.loading) {
      return;
    }
    this.loading = true;
    this.error = null;
    this.load()
      .then(
        content => {
          this.content = content;
        },
        (error: unknown) => {
          console.error(error);
          this.error = new ApiError(
            'not-loaded',
            this.trans.__('This part of the extension could not be loaded.'),
            this.trans.__('Reload the page: the server may have been updated.')
          );
        }
      )
      .finally(() => {
        this.loading = false;
        this.update();
      });
  }

  private content: ReactElement | null = null;
  private error: ApiError | null = null;
  private loading = false;
  private readonly _visibilityChanged = new Signal<this, boolean>(this);
}
