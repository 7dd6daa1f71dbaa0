"""The way in by name, through the stand-in of an ingress controller on the rehearsal's cluster."""
