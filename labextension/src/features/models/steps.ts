import type { PromotionStep } from '../../api/messages/models';
import type { Step, StepStatus } from '../../components/steps';
import { stepsOf } from '../convert/steps';
import { isActive, PromotionModel } from './promotion';

/** The steps of a promotion as they are shown: the journal's, with what the job says about the one that runs. */
export function promotionSteps(model: PromotionModel): Step[] {
  const { promotion, followed } = model;
  if (!promotion) {
    return followed ? stepsOf(followed.job, followed.events, [], name => name) : [];
  }
  return promotion.steps.map(step => {
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
}

/** A step that never came is stopped where the promotion is over. */
function statusOf(step: PromotionStep, active: boolean): StepStatus {
  return step.status === 'pending' && !active ? 'stopped' : step.status;
}
