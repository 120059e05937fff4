// SPDX-License-Identifier: MIT
//
// Where things are in PAUSE's image (the root file system) and on the data volume. One list, so
// that a name is written once.
#pragma once

namespace kiln::firstrun::locations {

// The data volume.
inline constexpr const char* kData = "/data";
inline constexpr const char* kDatabaseRoot = "/data/mysql";
inline constexpr const char* kDataDirectory = "/data/mysql/mysql";
inline constexpr const char* kNewDataDirectory = "/data/mysql/.new";
inline constexpr const char* kPause = "/data/pause";
inline constexpr const char* kPub = "/data/pause/pub/PAUSE";
inline constexpr const char* kGit = "/data/pause/pub/PAUSE/PAUSE-git";
inline constexpr const char* kPausedLog = "/data/home/log/paused.log";

// What first-run keeps on the data volume.
inline constexpr const char* kState = "/data/state";
inline constexpr const char* kJournal = "/data/state/journal.jsonl";
inline constexpr const char* kRememberedAnswers = "/data/state/answers.yaml";
inline constexpr const char* kAdminPassword = "/data/state/admin-password";
inline constexpr const char* kPrivate = "/data/state/private";
inline constexpr const char* kPrivateConfig = "/data/state/private/PrivatePAUSE.pm";
inline constexpr const char* kPrivateLocal = "/data/state/private/local.pl";
inline constexpr const char* kGnupg = "/data/state/gnupg";
inline constexpr const char* kNewGnupg = "/data/state/.gnupg-new";
inline constexpr const char* kSigningKey = "/data/state/signing-key.json";
inline constexpr const char* kSsh = "/data/state/ssh";
inline constexpr const char* kTls = "/data/state/tls";
inline constexpr const char* kCertificate = "/data/state/tls/cert.pem";
inline constexpr const char* kCertificateKey = "/data/state/tls/key.pem";
inline constexpr const char* kCertificateInfo = "/data/state/tls/info.json";
inline constexpr const char* kServerConfig = "/data/state/nginx/server.conf";
inline constexpr const char* kLetsEncrypt = "/data/state/letsencrypt";
inline constexpr const char* kAcmeWebroot = "/data/state/acme-webroot";
inline constexpr const char* kGitOrigin = "/data/state/git-origin.git";
inline constexpr const char* kNewGitOrigin = "/data/state/.git-origin-new";
inline constexpr const char* kDeployKey = "/data/state/deploy-key";
inline constexpr const char* kMailTested = "/data/state/mail-tested";
/// Address that gets what cron's jobs print.
inline constexpr const char* kMailCron = "/data/state/mail-cron";
inline constexpr const char* kVolumeImage = "/data/state/image.json";
inline constexpr const char* kComplete = "/data/state/complete";

// The root file system.
inline constexpr const char* kCheckout = "/home/pause/pause";
inline constexpr const char* kImage = "/usr/local/share/pause/image.json";
inline constexpr const char* kBakedAnswers = "/etc/pause/first-run.yaml";
/// What sv(8) calls the web server in the container.
inline constexpr const char* kContainerWebServer = "/etc/pause/sv/nginx";

// This boot.
inline constexpr const char* kRun = "/run/pause";
inline constexpr const char* kRunStatus = "/run/pause/first-run.json";
inline constexpr const char* kRunLock = "/run/pause/first-run.lock";
inline constexpr const char* kRunJournal = "/run/pause/journal.jsonl";
/// There from before a running web server's files change until it has read them.
inline constexpr const char* kReloadWebServer = "/run/pause/reload-web-server";
inline constexpr const char* kSchemaDiffers = "/run/pause/schema-differs";
inline constexpr const char* kLookHome = "/run/pause/gnupg-look";
inline constexpr const char* kDatabaseRun = "/run/pause/database";
inline constexpr const char* kDatabaseSocket = "/run/pause/database/socket";
inline constexpr const char* kSystemDatabaseSocket = "/run/mysqld/mysqld.sock";

} // namespace kiln::firstrun::locations
