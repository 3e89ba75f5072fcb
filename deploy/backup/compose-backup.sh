#!/bin/sh
# One backup of the Compose stack, for cron or a systemd timer: compose-backup.sh PROJECT_FOLDER BACKUP_FOLDER [KEEP]
# The stack works on meanwhile. BACKUP_FOLDER must be writable for the user of the images, number 10001.
# The exit status is that of mad backup: anything but 0 needs a person.
set -eu
project=$1 folder=$2 keep=${3:-14}
# Compose looks there for the files that COMPOSE_FILE in .env names.
cd "$project"
exec docker compose run --rm --no-deps --no-TTY --volume "$folder:/backups" api mad backup /backups --keep "$keep"
