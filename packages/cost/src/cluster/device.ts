import { ConfigError } from "@espalier/core";
import { nearestNames } from "./nearest.ts";
import { type ClusterDeviceRow, clusterDeviceRows } from "../catalogue/clusterDevices.ts";

/** A device and how it is wired. Bandwidths are bytes a second, one direction, for one device. */
export interface Cluster {
  device: ClusterDeviceRow;
  numGpus: number;
  nodeSize: number;
  intraNodeBytesPerSecond: number;
  interNodeBytesPerSecond: number;
}

/**
 * A cluster of a catalogue device.
 *
 * @param options.interNodeGbitPerSecond  network of one GPU; the usual value of the device when left out
 * @throws {ConfigError} when the device is unknown (the sentence names the nearest ones) or a number cannot be meant
 */
export function cluster(deviceId: string, numGpus: number, options: { interNodeGbitPerSecond?: number; nodeSize?: number } = {}): Cluster {
  const device = clusterDeviceRows.find((row) => row.id === deviceId);
  if (!device) {
    const near = nearestNames(deviceId, clusterDeviceRows.map((row) => row.id));
    throw new ConfigError(`cluster: device: is "${deviceId}", expected one of the catalogue. Nearest: ${near.join(", ")}.`);
  }
  if (!(Number.isInteger(numGpus) && numGpus > 0 && numGpus <= 1e6)) {
    throw new ConfigError(`cluster: numGpus: is ${numGpus}, expected a whole number from 1 to a million. Give the devices of the whole cluster.`);
  }
  const gbit = options.interNodeGbitPerSecond ?? device.interNodeGbitPerSecond;
  if (!(gbit > 0 && gbit <= 10_000)) {
    throw new ConfigError(`cluster: interNodeGbitPerSecond: is ${gbit}, expected gigabits a second of one GPU, such as 200. Do not give bits or bytes.`);
  }
  return {
    device,
    numGpus,
    nodeSize: options.nodeSize ?? device.nodeSize,
    intraNodeBytesPerSecond: device.nvlinkGbPerSecond * 1e9,
    interNodeBytesPerSecond: (gbit / 8) * 1e9,
  };
}
