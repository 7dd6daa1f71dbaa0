"""The README's way to minikube and Google Cloud, typed as it stands there."""
