# syntax=docker/dockerfile:1
# The deployment as images, all with the same code:
#
#   docker build --target function .   the Lambda function; the default
#   docker build --target job .        a container that deploys once and ends
#
# requirements/*.txt pin every package with its hash; PYTHON must be a release that Lambda has.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS wheel
WORKDIR /build
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md ./
COPY src/ src/
RUN pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheel .


# The certificates of RDS. Their list grows, so it is not pinned by default; --build-arg
# RDS_BUNDLE_SHA256=… refuses any other than the one that was looked at.
FROM python:${PYTHON}-slim AS bundle
ARG RDS_BUNDLE_SHA256=
ADD --chmod=644 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /rds-global-bundle.pem
RUN python -c "import ssl; ssl.create_default_context(cafile='/rds-global-bundle.pem')" && \
    sha256sum /rds-global-bundle.pem >/sum && \
    grep "^$RDS_BUNDLE_SHA256" /sum



FROM python:${PYTHON}-slim AS job
WORKDIR /app
COPY requirements/aws.txt /tmp/requirements.txt
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.txt && \
    pip install --no-cache-dir --no-deps --no-index /wheel/*.whl && \
    rm /tmp/requirements.txt
COPY --from=bundle /rds-global-bundle.pem ./
COPY alembic.ini ./
COPY alembic/ alembic/
COPY app/ app/
# Read by any user, whatever the umask where the image is built; written by none.
RUN pgmigrations manifest && chmod -R a+rX /app && \
    useradd --system --uid 10001 --home-dir /app --no-create-home migrator
ENV PGSSLROOTCERT=/app/rds-global-bundle.pem \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
ENTRYPOINT ["pgmigrations"]
CMD ["deploy"]


FROM public.ecr.aws/lambda/python:${PYTHON} AS function
COPY requirements/aws.txt /tmp/requirements.txt
# Bytecode that is taken whatever the files' times are: a function could not write any other.
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir --no-compile --require-hashes \
    --requirement /tmp/requirements.txt && \
    pip install --no-cache-dir --no-compile --no-deps --no-index /wheel/*.whl && \
    python -m compileall -qq --invalidation-mode unchecked-hash \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" && \
    rm /tmp/requirements.txt
COPY --from=bundle /rds-global-bundle.pem ${LAMBDA_TASK_ROOT}/
COPY alembic.ini ${LAMBDA_TASK_ROOT}/
COPY alembic/ ${LAMBDA_TASK_ROOT}/alembic/
COPY app/ ${LAMBDA_TASK_ROOT}/app/
WORKDIR ${LAMBDA_TASK_ROOT}
# Lambda runs it as a user of its own, and with a folder that nothing can be written to.
RUN pgmigrations manifest && chmod -R a+rX .
ENV PGSSLROOTCERT=${LAMBDA_TASK_ROOT}/rds-global-bundle.pem
CMD ["pgmigrations.aws.handler.handler"]
