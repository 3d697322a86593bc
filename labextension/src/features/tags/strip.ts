import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Tag } from '../../tags';
import type { Proposal, Trouble } from './marks';

/** What a strip shows; nothing of it: no strip. */
export interface StripContent {
  tag: Tag | null;
  proposal: Proposal | null;
  trouble: Trouble | null;
}

/** What its buttons do. */
interface StripActions {
  menu(anchor: HTMLElement): void;
  accept(): void;
  dismiss(): void;
  reveal(): void;
}

/**
 * The line above a cell: its tag, or one that would fit, and how many problems it has.
 *
 * Plain nodes, since a notebook has hundreds of cells. Only the active cell's buttons are in the order of Tab, as with
 * JupyterLab's cells.
 */
export class Strip extends Widget {
  constructor(
    private readonly actions: StripActions,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mlops-Strip');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', trans.__('Stage of this cell'));
    this.node.hidden = true;
  }

  /** Whether its buttons are reached by Tab. */
  set reachable(reachable: boolean) {
    this._reachable = reachable;
    this.node.querySelectorAll('button').forEach(button => {
      button.tabIndex = reachable ? 0 : -1;
    });
  }

  present(content: StripContent): void {
    const key = JSON.stringify(content);
    if (key === this._key) {
      return;
    }
    this._key = key;
    const { tag, proposal, trouble } = content;
    const focused = this.node.contains(document.activeElement);
    this.node.replaceChildren(
      ...(tag ? [this.chip(tag)] : []),
      ...(proposal ? [this.proposal(proposal)] : []),
      ...(trouble ? [this.badge(trouble)] : [])
    );
    this.node.hidden = !this.node.childElementCount;
    if (focused) {
      // What had the focus is gone: the keyboard goes on from its successor, or from the cell.
      const next = this.node.querySelector('button') ?? this.parent?.node;
      next?.focus({ preventScroll: true });
    }
  }

  private chip(tag: Tag): HTMLElement {
    const chip = this.button('jp-mlops-Chip', tag, this.trans.__('Stage of this cell: %1. Change it.', tag), () => this.actions.menu(chip));
    chip.dataset.tag = tag;
    chip.setAttribute('aria-haspopup', 'menu');
    return chip;
  }

  private proposal(proposal: Proposal): HTMLElement {
    const { trans } = this;
    const group = document.createElement('span');
    group.className = 'jp-mlops-Proposal';
    const text = document.createElement('span');
    text.textContent = trans.__('%1?', proposal.label);
    text.title = proposal.reason;
    group.append(
      text,
      proposal.split
        ? this.button('jp-mlops-Proposal-button', trans.__('Split and Tag'), trans.__('Split this cell into %1, and tag them', proposal.label), () => this.actions.accept())
        : this.button('jp-mlops-Proposal-button', trans.__('Accept'), trans.__('Accept the tag %1', proposal.label), () => this.actions.accept()),
      this.button('jp-mlops-Proposal-button', trans.__('Dismiss'), trans.__('Dismiss the suggestion %1', proposal.label), () => this.actions.dismiss())
    );
    return group;
  }

  private badge(trouble: Trouble): HTMLElement {
    const { trans } = this;
    const said = [
      ...(trouble.errors ? [trans._n('%1 error', '%1 errors', trouble.errors)] : []),
      ...(trouble.warnings ? [trans._n('%1 warning', '%1 warnings', trouble.warnings)] : [])
    ].join(', ');
    const sign = trouble.errors ? `✕${trouble.errors}` : `⚠${trouble.warnings}`;
    const badge = this.button('jp-mlops-Badge', sign, trans.__('%1 in this cell: show them.', said), () => this.actions.reveal());
    badge.dataset.severity = trouble.errors ? 'error' : 'warning';
    badge.title = trouble.messages.join('\n');
    return badge;
  }

  private button(name: string, text: string, label: string, act: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = name;
    button.textContent = text;
    button.setAttribute('aria-label', label);
    button.tabIndex = this._reachable ? 0 : -1;
    button.addEventListener('click', act);
    return button;
  }

  private _key = '';
  private _reachable = false;
}
