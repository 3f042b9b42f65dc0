"""The table of storefronts that we look at ourselves, as a typed model."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class Storefront(Base):
    """Where a store takes orders, how and how often we look at it, and what the last look saw."""

    __tablename__ = "storefront"
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )
    url: Mapped[str]
    every_s: Mapped[int] = mapped_column(server_default="300")
    timeout_s: Mapped[int] = mapped_column(server_default="10")
    statuses: Mapped[str] = mapped_column(server_default="2xx")
    says: Mapped[str] = mapped_column(server_default="")
    says_not: Mapped[str] = mapped_column(server_default="")
    json_path: Mapped[str] = mapped_column(server_default="")
    json_value: Mapped[str] = mapped_column(server_default="")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    looked_at: Mapped[datetime | None]
    active: Mapped[bool | None]
    said: Mapped[str | None]
    took_ms: Mapped[int | None]
