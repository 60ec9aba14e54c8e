FROM python:3.11-slim

WORKDIR /app

# Dependencies come first, in a layer of their own: a change to the app does not install them again.
RUN pip install --no-cache-dir flask gunicorn

COPY app.py .

# Nothing in the shop needs root. gunicorn keeps its control socket in the home folder.
RUN useradd --create-home --uid 10001 shop
USER 10001

EXPOSE 5000

# Exec form: gunicorn is process 1 and gets Kubernetes' SIGTERM itself. It then has 20 s to finish
# what it is serving: the pod's grace period of 30 s less the preStop sleep of 5 s, with a margin.
CMD ["gunicorn", "-b", "0.0.0.0:5000", "app:app", "--workers", "1", "--threads", "2", "--graceful-timeout", "20"]
