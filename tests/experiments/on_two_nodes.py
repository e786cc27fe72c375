"""A trial plan on a local Ray cluster of two nodes, one of which dies on the way; prints how far it is from here."""

import numpy as np
import ray
from ray.cluster_utils import Cluster
from test_statistics_and_engine import regularised_experiment

from unstuck.experiments.engine import run_batched
from unstuck.experiments.outcome import Job
from unstuck.experiments.ray_executor import RayExecutor

NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20}


def main() -> None:
    base = regularised_experiment()
    groups = [[Job(base.lasting(epochs), seed) for seed in (0, 1)] for epochs in (1, 2, 3, 4)]
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    second = cluster.add_node(**NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    answers = {}
    for number, answer in RayExecutor("jax").train(groups, seconds=600, native=False):
        answers[number] = answer
        if len(answers) == 1:
            cluster.remove_node(second)
    for number, jobs in enumerate(groups):
        for here, there in zip(run_batched(jobs), answers[number], strict=True):
            print(len(there.losses), np.array_equal(here.losses, there.losses), there.engine)
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
