"""What a data scientist does: trains a model on a data set that scikit-learn ships, and tracks it."""

from typing import Any, cast

import mlflow
import numpy as np
from mlflow import sklearn
from PIL import Image
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression

MODEL = "wine"


def wine() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the features and labels of the data set."""
    return cast("tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]", load_wine(return_X_y=True))


def tracked_run() -> str:
    """Track parameters, metrics, a picture and a registered model at the server in use; return the run's id."""
    mlflow.set_experiment("wine")
    features, labels = wine()
    with mlflow.start_run() as run:
        model = LogisticRegression(max_iter=5000, C=0.5).fit(features, labels)
        mlflow.log_param("C", 0.5)
        mlflow.log_metric("accuracy", model.score(features, labels))
        mlflow.log_image(Image.new("RGB", (8, 8), "maroon"), "picture.png")
        sklearn.log_model(model, name="model", registered_model_name=MODEL, input_example=features[:2])
    return str(run.info.run_id)
