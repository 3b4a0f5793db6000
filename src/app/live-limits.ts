import type { OperatorPolicy } from '../accounts/operator-rules.js';
import type { CallLimits } from '../call/call-control-options.js';
import type { Config } from '../config/schema.js';
import type { EventLimits } from '../events/types.js';
import type { MessageLimits } from '../messaging/types.js';
import { type BindingPolicy, DEFAULT_BINDING_POLICY } from '../registrar/apply-register.js';
import type { OutsideDefaults } from '../trunks/outside-rights.js';

// Limits of the rooms, read from the settings each time: settings marked `live` change while running.

export function bindingPolicy(config: Config): BindingPolicy {
  return {
    ...DEFAULT_BINDING_POLICY,
    get expiry() {
      return { minSec: config.REG_MIN_SEC, maxSec: config.REG_MAX_SEC, defaultSec: config.REG_MAX_SEC };
    },
    get maxContacts() {
      return config.MAX_CONTACTS;
    },
  };
}

export function outsideDefaults(config: Config): OutsideDefaults {
  return {
    get maxCalls() {
      return config.OUTSIDE_CALLS;
    },
    get perHour() {
      return config.OUTSIDE_HOUR;
    },
    get perDay() {
      return config.OUTSIDE_DAY;
    },
  };
}

export function callLimits(config: Config): CallLimits {
  return {
    get maxCalls() {
      return config.MAX_CALLS;
    },
    get noAnswerMs() {
      return config.NO_ANSWER_SEC * 1000;
    },
    get searchMs() {
      return config.RING_TOTAL_SEC * 1000;
    },
    get maxDurationSec() {
      return config.MAX_CALL_SEC;
    },
    get checkMs() {
      return config.CALL_CHECK_SEC * 1000;
    },
    session: {
      get intervalSec() {
        return config.SESSION_TIMER_SEC;
      },
      get minSec() {
        return config.SESSION_MIN_SEC;
      },
    },
    silence: {
      get silenceSec() {
        return config.MEDIA_SILENCE_SEC;
      },
      get of() {
        return config.MEDIA_SILENCE_OF;
      },
      get whenHeld() {
        return config.MEDIA_SILENCE_HELD;
      },
    },
  };
}

export function messageLimits(config: Config): MessageLimits {
  return {
    get maxBytes() {
      return config.MESSAGE_MAX_BYTES;
    },
    get maxWaiting() {
      return config.MESSAGE_MAX_WAITING;
    },
    get maxTotal() {
      return config.MESSAGE_MAX_TOTAL;
    },
    get expirySec() {
      return config.MESSAGE_EXPIRY_SEC;
    },
    get perMinute() {
      return config.MESSAGE_RATE;
    },
  };
}

/** `maxTotal` is fixed: tables are made for it. */
export function eventLimits(config: Config): EventLimits {
  return {
    get minSec() {
      return config.EVENT_MIN_SEC;
    },
    get maxSec() {
      return config.EVENT_MAX_SEC;
    },
    get maxPerUser() {
      return config.EVENT_MAX_PER_USER;
    },
    maxTotal: config.EVENT_MAX_TOTAL,
  };
}

export function operatorPolicy(config: Config): OperatorPolicy {
  return {
    get minPasswordLength() {
      return config.OPERATOR_PASSWORD_MIN;
    },
    get passwordDays() {
      return config.OPERATOR_PASSWORD_DAYS;
    },
    get lockAfter() {
      return config.OPERATOR_LOCK_AFTER;
    },
    get lockSec() {
      return config.OPERATOR_LOCK_SEC;
    },
  };
}
