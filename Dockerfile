# One image for the site, workers and beat; compose.yaml shows their commands.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements/production.txt requirements/production.txt
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/production.txt

COPY manage.py ./
COPY config config
COPY accounts accounts
COPY confluence_link confluence_link
COPY templates templates

# Nothing of this is used but the place of the static files.
RUN SECRET_KEY=not-used CONFLUENCE_LINK_VAULT_KEYS=not-used:YuYiDS91i39sy4qa+ty4WRUUQsnsCkJCUROh09sDgiI= \
    python manage.py collectstatic --no-input

RUN useradd --system --home /app confluence && install -d -o confluence -g confluence var
USER confluence
VOLUME /app/var

EXPOSE 8000
# No access log: the address of a callback holds a code.
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "8", "--graceful-timeout", "50"]
