import type { TranslationBundle } from '@jupyterlab/translation';

import type { PromotionStep } from '../../api/messages/models';
import type { Step, StepStatus } from '../../components/steps';
import { stepsOf } from '../convert/steps';
import { isActive, PromotionModel } from './promotion';

/** The steps of a promotion as they are shown: the journal's, with what the job says about the one that runs. */
export function promotionSteps(model: PromotionModel, title = (name: string): string => name): Step[] {
  const { promotion, followed } = model;
  const told = followed && (!promotion || model.rollback) ? stepsOf(followed.job, followed.events, [], title) : [];
  if (!promotion) {
    return told;
  }
  // A rollback moves the traffic before it is in the journal.
  const before = told.filter(step => !promotion.steps.some(one => one.name === step.name));
  const steps = promotion.steps.map(step => {
    const event = step.status === 'running' ? model.lastEvent(step.name) : null;
    return {
      name: step.name,
      title: step.title,
      status: statusOf(step, isActive(promotion)),
      message: event?.message || step.message,
      fraction: event?.fraction ?? null,
      seconds: step.seconds
    };
  });
  return [...before, ...steps];
}

/** Titles of the steps of deploying, which have no journal. */
export function stepTitles(trans: TranslationBundle): (name: string) => string {
  const titles: Record<string, string> = {
    fetch: trans.__('Project of the version'),
    replicas: trans.__('Replicas'),
    traffic: trans.__('Traffic')
  };
  return name => titles[name] ?? name;
}

/** A step that never came is stopped where the promotion is over. */
function statusOf(step: PromotionStep, active: boolean): StepStatus {
  return step.status === 'pending' && !active ? 'stopped' : step.status;
}
