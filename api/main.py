"""The only place where the API is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from api import errors, health, openapi, security, tracing
from api.bootstrap import ensure_key
from api.classifiers import routes as classifiers
from api.corrections import routes as corrections
from api.exports import routes as exports
from api.geography import routes as geography
from api.images import routes as images
from api.jobs import events
from api.jobs import routes as jobs
from api.limits.body import BodyLimits, UnreadBodies
from api.limits.rate import RateLimiter
from api.limits.request import RequestLimits, check_json_depth
from api.limits.shares import WAITING, Bodies, Pool, Shares, Turns
from api.links import BelowAPath
from api.manual import routes as manual
from api.metrics.requests import RequestMetrics
from api.metrics.serving import ApiMetrics
from api.middleware import RequestContext
from api.predict import routes as predict
from api.readiness import Readiness
from api.receipts import routes as receipts
from api.results import routes as results
from api.services import Services
from api.summaries import routes as summaries
from api.tiles import routes as tiles
from api.waiting.hub import Hub
from api.waiting.poll import JobPoll
from api.waker import Waker
from api.webhooks import deliveries, job_secret
from api.webhooks import routes as webhooks
from shared.addresses.public import prefix_of
from shared.db.session import Database
from shared.errors import ConfigurationError
from shared.hints import Hints, listen
from shared.queue import Wakeups
from shared.settings import Settings, get_settings
from shared.storage.s3 import S3Store
from shared.version import VERSION
from shared.webhooks.urls import Policy

log = structlog.get_logger()

# Starlette runs `def` routes in 40 threads, whose processor is used up by four at a time: pools of 2 to 32 carried as
# many polls. The others are for what takes long, as summaries, so that polls need not wait behind it.
POOL_SIZE = 16

ROUTERS = (
    jobs.router,
    geography.router,
    events.router,
    results.router,
    exports.router,
    corrections.router,
    images.router,
    tiles.router,
    summaries.router,
    receipts.router,
    classifiers.router,
    predict.router,
    job_secret.router,  # Before the webhooks, whose ids would match its path.
    webhooks.router,
    deliveries.router,
    health.router,
    manual.router,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application. Every server is connected lazily: it also starts while they are away.

    Raises:
        ConfigurationError: hosts, origins or the public address make no sense; at start, when the bootstrap key is
            malformed, the tables are missing, or the port of the metrics is taken.
    """
    chosen = settings or get_settings()
    prefix = prefix_of(chosen.public_url)
    services = connect(chosen)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await run_in_threadpool(ensure_key, services.database, chosen.bootstrap_api_key)
            metrics = ApiMetrics(services, ROUTERS)
        except ConfigurationError as error:
            log.critical("api_not_started", reason=str(error))
            raise
        services.start()
        async with services.hub.running(listen(chosen)):
            yield
        await run_in_threadpool(metrics.close)
        await run_in_threadpool(services.close)

    app = FastAPI(
        title="Phytobatch",
        version=VERSION,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_json_depth)],
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app, ROUTERS)
    openapi.install(app, prefix, ROUTERS)
    app.add_middleware(BodyLimits, settings=chosen)
    app.add_middleware(RequestLimits, settings=chosen)
    security.install(app, chosen)
    app.add_middleware(RequestContext)
    app.add_middleware(security.TransportSecurity, seconds=chosen.hsts_seconds)
    app.add_middleware(RequestMetrics)
    app.add_middleware(UnreadBodies)  # It sees every answer.
    if prefix:
        app.add_middleware(BelowAPath, prefix=prefix)  # Added last, so it is the outermost: the others see no prefix.
    tracing.install(app, chosen)
    return app


def connect(settings: Settings) -> Services:
    """Make the services of this process.

    Raises:
        ConfigurationError: the settings of the webhooks make no sense.
    """
    hints = Hints(settings)
    database = Database(settings, pool_size=POOL_SIZE, application="phytobatch-api", announce=hints.announce)
    wakeups = Wakeups(settings)
    store = S3Store(settings, connections=POOL_SIZE)
    shares = Shares.of(settings)
    waiting = Pool(settings.max_waiting_clients, shares, WAITING)
    return Services(
        settings=settings,
        database=database,
        store=store,
        waker=Waker(database, wakeups, window=settings.wakeup_window),
        readiness=Readiness(database, store, wakeups),
        hints=hints,
        hub=Hub(
            JobPoll(database, public_url=settings.public_url),
            watch_seconds=settings.watch_seconds,
            places=waiting,
        ),
        webhook_policy=Policy.of(settings),
        rates=RateLimiter(settings),
        waiting=waiting,
        bodies=Bodies(settings.max_body_bytes_at_a_time, shares, small=settings.max_json_bytes),
        turns=Turns(POOL_SIZE, shares),
    )
