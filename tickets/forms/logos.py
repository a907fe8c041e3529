"""The part of a settings form that sets the logo at the head of mails."""

import base64
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.mails import logos
from accounts.models import Office
from tickets.files import location


class LogoForm(forms.Form):
    """Replaces or removes a logo: of an office, or with None of the site."""

    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        help_text=_("PNG or JPEG, up to 100 KB. Shown at the top of mails, up to 40 pixels high, on white."),
    )
    removes_logo = forms.BooleanField(label=_("Remove the logo"), required=False)

    def __init__(self, *args: Any, office: Office | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = office is not None and office.pk is None
        self.present = None if is_new else logos.own_logo(office)
        if self.present is None:
            del self.fields["removes_logo"]

    @property
    def preview(self) -> str:
        """The present logo as an address that needs no request; "" without one."""
        if self.present is None:
            return ""
        return f"data:image/{self.present.kind};base64,{base64.b64encode(self.present.image).decode()}"

    def clean_logo(self) -> bytes | None:
        """Return the image, without the place where it was taken. Raises ValidationError."""
        upload: UploadedFile[bytes] | None = self.cleaned_data["logo"]
        if upload is None:
            return None
        image = upload.read(logos.MAX_BYTES + 1)
        logos.Logo.read(image)
        return location.remove(bytes(image))

    def save(self, office: Office | None) -> None:
        """Set or remove the logo, if that was chosen."""
        image = self.cleaned_data["logo"]
        if image is not None or self.cleaned_data.get("removes_logo"):
            logos.set_logo(office, image)
