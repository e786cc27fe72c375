"""The network as it was built: its wiring, its weights, and what its ends can take and reach."""
