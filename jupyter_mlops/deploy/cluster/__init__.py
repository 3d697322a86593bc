"""The manifests of a model version for Kubernetes. Pure data; nothing here asks a cluster, except `kubectl`."""
