# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Upload;

# Uploads by the form, and by programs that fill in the same fields.
use v5.36;

use PAUSE::Standin::Uploads ();
use PAUSE::Standin::Web::Page qw(page error_page escape);

my $FILE_BUTTON = 'SUBMIT_pause99_add_uri_httpupload';
my $ADDRESS_BUTTON = 'SUBMIT_pause99_add_uri_uri';

sub is_wanted ($req) {
    my $body = $req->body_parameters;
    return defined $body->get($FILE_BUTTON) || defined $body->get($ADDRESS_BUTTON);
}

sub by_form ($req, $user) {
    my $body = $req->body_parameters;
    my $for = uc($body->get('HIDDENNAME') || $user->{id});
    return error_page(403, 'That is somebody else.') unless $for eq $user->{id} || $user->{is_admin};
    my %upload = (
        user => $for,
        by => $user->{id},
        subdir => PAUSE::Standin::Uploads::clean_subdir($body->get('pause99_add_uri_subdirtext') // ''),
    );
    my $fault = defined $body->get($FILE_BUTTON) ? file_of($req, \%upload) : address_of($req, \%upload);
    return error_page(200, "ERROR: $fault") if $fault;
    return store(%upload);
}

# These two say what is wrong, or nothing.
sub file_of ($req, $upload) {
    my $file = $req->upload('pause99_add_uri_httpupload') or return 'There is no file.';
    $upload->{name} = PAUSE::Standin::Uploads::clean_name($file->filename // '');
    $upload->{from} = $file->path;
    return 'The file is empty.' unless $file->size;
    return PAUSE::Standin::Uploads::name_fault($upload->{name});
}

sub address_of ($req, $upload) {
    my $address = $req->body_parameters->get('pause99_add_uri_uri') // '';
    return 'The address is none.' unless $address =~ m{^(?:https?|ftp)://[^\s/]+/\S+\z};
    $upload->{uri} = $address;
    $upload->{name} = PAUSE::Standin::Uploads::clean_name($address);
    return PAUSE::Standin::Uploads::name_fault($upload->{name});
}

sub store (%upload) {
    my $id = eval { PAUSE::Standin::Uploads::add(%upload) };
    if (defined $id) {
        return page(200, 'PAUSE: add a file',
            '<p>Your file will be fetched soon: ' . escape($id) . '</p>');
    }
    my $fault = $@;
    my $status = PAUSE::Standin::Uploads::status_of($fault);
    die PAUSE::Standin::Uploads::text_of($fault) if $status == 500;
    return error_page($status, "ERROR: '$upload{name}' was not taken, there may be one already.");
}

1;
