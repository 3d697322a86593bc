import type { IDisposable } from '@lumino/disposable';
import { Token } from '@lumino/coreutils';
import type { ReactElement } from 'react';

import type { Api } from './api/client';
import type { JobsModel } from './api/jobs';
import type { CurrentNotebook } from './features/current/model';
import type { Review } from './features/notebook/review';
import type { ServerState } from './features/sidebar/status';

/** The server extension's calls. */
export const IApi = new Token<Api>('jupyter-mlops:IApi', 'Calls of the jupyter-mlops server extension.');
export type IApi = Api;

/** Jobs of the server, followed here. */
export const IJobs = new Token<JobsModel>('jupyter-mlops:IJobs', 'Long work on the server.');
export type IJobs = JobsModel;

/** The notebook that the user works in, and what the server knows about it. */
export const ICurrentNotebook = new Token<CurrentNotebook>('jupyter-mlops:ICurrentNotebook', 'The current notebook, analysed.');
export type ICurrentNotebook = CurrentNotebook;

/** Suggested tags and problems of the current notebook, and what is done about them. */
export const IReview = new Token<Review>('jupyter-mlops:IReview', 'Suggested tags and problems of the current notebook.');
export type IReview = Review;

/** A section of the sidebar. */
export interface ISection {
  id: string;
  title: string;
  /** The lowest comes first. */
  rank: number;
  /** Buttons at the section's title: icons of commands. */
  commands?: readonly string[];
  /** Makes its content when it is looked at for the first time, so that nobody downloads what he never opens. */
  render: () => Promise<ReactElement>;
}

export interface ISidebar {
  add(section: ISection): IDisposable;
  /** Open the sidebar, and the section. */
  reveal(id: string): void;
  /** Whether the server extension is there. */
  readonly server: ServerState;
  /** Tell whether a section is visible: now, and whenever that changes. */
  watch(id: string, tell: (shown: boolean) => void): void;
}

export const ISidebar = new Token<ISidebar>('jupyter-mlops:ISidebar', 'The sidebar of jupyter-mlops and its sections.');
