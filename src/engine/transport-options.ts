import type { EngineOptions } from './engine-options.js';
import { DEFAULT_ADMISSION } from './transport/source-admission.js';

/** What of the options is the transport's. */
export function transportOptions(options: EngineOptions) {
  const { sipListen: listeners, blockedSources, tls, origins = [], transportLimits } = options;
  return {
    listeners,
    admission: { ...DEFAULT_ADMISSION, ...options.admission },
    ...(blockedSources && { blocked: blockedSources }),
    ...(tls && { tls }),
    ...(origins.length > 0 && { origins }),
    ...(transportLimits && { limits: transportLimits }),
  };
}
