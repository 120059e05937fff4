#!/opt/pause-perl/bin/perl
# SPDX-License-Identifier: MIT
# Runs inside the sandbox of an image with PAUSE's perl: loads every module that PAUSE wants, and has
# the important ones do their work. Prints a line for each thing that was seen.
use strict;
use warnings;

sub seen { print join(' ', @_), "\n" }
sub run { system(@_) == 0 or die "'@_' ended with $?\n" }

$SIG{ALRM} = sub { die "it takes too long\n" };
alarm 300;
my $tmp = '/tmp/probe';
mkdir $tmp or die "mkdir: $!";

sub load_modules {
    my $count = 0;
    while (my $module = <DATA>) {
        chomp $module;
        eval "require $module; 1" or die "$module: $@";
        $count++;
    }
    seen('modules', $count);
}

sub background {
    my @command = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDOUT, '>', "$tmp/log" or die;
    open STDERR, '>&', \*STDOUT or die;
    exec @command or die "exec: $!";
}

sub wait_until {
    my ($what, $test) = @_;
    for (1 .. 300) {
        my $result = eval { $test->() };
        return $result if $result;
        select undef, undef, undef, 0.1;
    }
    open my $log, '<', "$tmp/log";
    die "no $what: $@\n", $log ? <$log> : ();
}

sub talk_to_mariadb {
    require DBI;
    my $said = `mariadb-install-db --no-defaults --force --user=root --datadir=$tmp/db 2>&1`;
    $? == 0 or die $said;
    my $pid = background(
        'mariadbd', '--no-defaults', '--user=root', "--datadir=$tmp/db", "--socket=$tmp/sock", '--skip-networking');
    my $dsn = "DBI:mysql:database=mysql;mysql_socket=$tmp/sock";
    my $dbh = wait_until(database => sub { DBI->connect($dsn, 'root', '', { RaiseError => 1, PrintError => 0 }) });
    $dbh->do('CREATE TABLE mysql.probe (id INT PRIMARY KEY, name VARCHAR(20))');
    $dbh->do('INSERT INTO mysql.probe VALUES (?, ?)', undef, 7, 'seven');
    my ($name) = $dbh->selectrow_array('SELECT name FROM mysql.probe WHERE id = ?', undef, 7);
    my ($server) = $dbh->selectrow_array('SELECT VERSION()');
    seen('mysql', DBD::mysql->VERSION, $name, $server =~ /MariaDB/ ? 'MariaDB' : $server);
    $dbh->disconnect;
    kill TERM => $pid;
    waitpid $pid, 0;
}

sub verify_tls {
    require IO::Socket::SSL;
    run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        . " -addext subjectAltName=DNS:localhost -keyout $tmp/key -out $tmp/crt 2>/dev/null");
    my $pid = background(
        'openssl', 's_server', '-accept', '4433', '-cert', "$tmp/crt", '-key', "$tmp/key", '-www', '-quiet');
    my %to = (Timeout => 10, PeerHost => '127.0.0.1', PeerPort => 4433, SSL_hostname => 'localhost', SSL_verifycn_name => 'localhost');
    my $socket = wait_until(server => sub {
        IO::Socket::SSL->new(%to, SSL_ca_file => "$tmp/crt") or die IO::Socket::SSL::errstr(), "\n";
    });
    print {$socket} "GET / HTTP/1.0\r\n\r\n";
    my $status = <$socket>;
    close $socket;
    my $without = IO::Socket::SSL->new(%to);
    seen('tls', $status =~ /^HTTP\S* 200/ ? 'verified' : $status, $without ? 'trusts anybody' : 'refused without its CA');
    kill TERM => $pid;
    waitpid $pid, 0;
}

sub answer_page {
    require HTTP::Tiny;
    open my $app, '>', "$tmp/app.psgi" or die;
    print {$app} <<'APP';
use Mojolicious::Lite -signatures;
get '/hello' => sub ($c) { $c->render(text => 'baked by ' . $c->req->headers->user_agent) };
app->start;
APP
    close $app;
    my $pid = background(
        '/home/pause/.plenv/shims/plackup', '-s', 'Starman', '--host', '127.0.0.1', '--port', '5000', '--workers', '2',
        "$tmp/app.psgi");
    my $page = wait_until(page => sub {
        my $got = HTTP::Tiny->new(agent => 'kiln')->get('http://127.0.0.1:5000/hello');
        die "$got->{status} $got->{content}\n" unless $got->{success};
        $got;
    });
    seen('page', $page->{content});
    kill TERM => $pid;
    waitpid $pid, 0;
}

sub who_uses_what {
    chomp(my $pause = `runuser -l pause -c "command -v perl plackup" | tr '\\n' ' '`);
    my $shim = `runuser -l pause -c 'perl -e "print \\\$^V"'`;
    my $system = `/usr/bin/perl -e 'print \$^V'`;
    chomp(my $root = `sh -c 'command -v perl'`);
    seen('pause', $pause, $shim);
    seen('system', $root, $system);
}

load_modules();
talk_to_mariadb();
verify_tls();
answer_page();
who_uses_what();

__DATA__
BSD::Resource
CPAN::Checksums
CPAN::DistnameInfo
Class::Singleton
Crypt::Eksblowfish::Bcrypt
Crypt::URandom
DB_File
DBI
DBD::mysql
DBD::SQLite
Email::Address
Email::MIME
Email::Sender::Simple
EV
File::Which
File::pushd
Git::Wrapper
HTML::Entities
HTTP::Date
HTTP::Status
HTTP::Tiny
IO::Socket::SSL
IPC::Run3
JSON
JSON::XS
LWP
LWP::Protocol::https
List::MoreUtils
Log::Dispatch::Config
Log::Dispatchouli
Module::Signature
Mojolicious
Net::SSLeay
Parallel::Runner
Parse::CPAN::Packages
Path::Class
Path::Tiny
Plack::Request
Plack::Middleware::ReverseProxy
Set::Crontab
Starman
String::Random
Text::Format
Text::Metaphone
Text::Soundex
Text::Unidecode
Time::Duration
URI::Escape
Unicode::String
XML::LibXML::SAX
XML::Parser
XML::SAX::Base
XML::SAX::ParserFactory
XML::SAX::Writer
YAML::Syck
Net::CIDR
Log::Dispatch
Moo
File::CounterFile
Number::Bytes::Human
File::ShareDir
accessors
Data::Float
Data::Serializer
File::Rsync
