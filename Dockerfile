# The studio as an image: `docker build -t nst .`; docs/deployment.md says how to run it.
FROM python:3.12-slim AS build
WORKDIR /source
COPY requirements.txt pyproject.toml LICENSE ./
COPY docs/description.md docs/description.md
RUN python -m venv /opt/nst && /opt/nst/bin/pip install --no-cache-dir -r requirements.txt
COPY nst nst
COPY assets assets
RUN /opt/nst/bin/pip install --no-cache-dir --no-deps . \
 && find /opt/nst -name __pycache__ -type d -prune -exec rm -rf {} + \
 && rm -rf /opt/nst/lib/python3.12/site-packages/tensorflow/include

FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /data --uid 10001 nst
COPY --from=build /opt/nst /opt/nst
USER nst
WORKDIR /data
VOLUME /data
ENV NST_HOST=0.0.0.0 NST_DATA=/data/nst PATH=/opt/nst/bin:$PATH PYTHONDONTWRITEBYTECODE=1
EXPOSE 8050
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8050/api/v1/health', timeout=4)"]
CMD ["nst", "serve", "--no-open"]
