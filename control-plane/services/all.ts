// Puts every service on a gRPC server: the one list of what is served.
// Called by main.ts.

import type { Server } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { ServerReflectionService } from '../../proto/gen/grpc/reflection/v1/reflection.ts';
import * as alpha from '../../proto/gen/grpc/reflection/v1alpha/reflection.ts';
import { ControlServiceService } from '../../proto/gen/picket/v1/control.ts';
import { ModelServiceService } from '../../proto/gen/picket/v1/model.ts';
import { SidecarServiceService } from '../../proto/gen/picket/v1/sidecar.ts';
import { VerdictServiceService } from '../../proto/gen/picket/v1/verdict.ts';
import type { Fleet } from '../fleet.ts';
import type { Intake } from '../intake.ts';
import type { PolicyBook } from '../policy-book.ts';
import type { Publisher } from '../publish.ts';
import type { Registry } from '../registry.ts';
import type { ControlPlaneStatus } from '../status.ts';
import type { Store } from '../store/store.ts';
import { controlService } from './control-service.ts';
import { eventService, RAW_EVENT_SERVICE } from './event-service.ts';
import type { Health } from './health-service.ts';
import { modelService } from './model-service.ts';
import { reflectionService } from './reflection-service.ts';
import { sidecarService } from './sidecar-service.ts';
import { verdictService } from './verdict-service.ts';

export interface ServiceParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly publisher: Publisher;
  readonly book: PolicyBook;
  readonly intake: Intake;
  readonly health: Health;
  readonly status: () => Promise<ControlPlaneStatus>;
}

export function addServices(server: Server, parts: ServiceParts): void {
  const { log, clock, fleet, registry, publisher, book, intake, status } = parts;
  const { events } = parts.store;
  server.addService(ControlServiceService, {
    ...controlService({ book, publisher, fleet, clock, log, status }),
  });
  server.addService(SidecarServiceService, {
    ...sidecarService({ fleet, publisher, registry, events, clock, log }),
  });
  server.addService(RAW_EVENT_SERVICE, { ...eventService(intake, log) });
  server.addService(VerdictServiceService, { ...verdictService({ events, intake, log }) });
  server.addService(ModelServiceService, { ...modelService({ registry, publisher, log }) });
  server.addService(HealthService, { ...parts.health.service() });
  server.addService(ServerReflectionService, { ...reflectionService() });
  server.addService(alpha.ServerReflectionService, { ...reflectionService() });
}
