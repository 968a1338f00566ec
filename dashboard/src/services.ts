// What of a service is missing, and what is not there because nothing is to be done.

import type { Service } from "./api";

/** Phases in which a service has no workers and is to have none: nobody wants it, or its time has not come. */
const RESTING = ["stopped", "idle", "scheduled", "done", "held"];

/** So many workers are to be ready now. */
export const due = (service: Service): number => (service.wanted && !RESTING.includes(service.phase) ? service.workers_wanted : 0);
export const isShort = (service: Service): boolean => service.workers_ready < due(service);
