"""`make down`."""

from infra.local.up import down

if __name__ == "__main__":
    down()
