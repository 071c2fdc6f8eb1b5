// Joins the `layers` experiment (training/) with the traffic that it runs on (simulator/): those two know nothing of each other.
// No figures, no output. Called by the `experiment` command.
import { placeOf } from '../simulator/faithful/figures.ts';
import type { ExperimentReport, ExperimentRequest } from '../training/experiments/experiment.ts';
import { layersExperiment } from '../training/experiments/layers-report.ts';
import { layersTraffic } from './layers-traffic.ts';

/** Runs the experiment on simulated traffic, one world of users a seed. */
export function simulatedLayers(request: ExperimentRequest): Promise<ExperimentReport> {
  return layersExperiment(request, { trafficOf: (seed) => layersTraffic({ seed }), placeOf });
}
