"""Confirmation of email addresses, from the link of a mail."""

from allauth.account.internal.flows import email_verification, login
from allauth.account.models import EmailAddress, EmailConfirmationHMAC, Login
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import email_addresses
from accounts.sign_in.forms import ConfirmAddressForm


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class ConfirmAddressView(View):
    """Confirms the address of a sign-up by its password, and signs in; another one for its signed-in owner.

    A link alone proves who reads the mail, not who owns the account: anyone can give another person's address.
    """

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, key: str) -> HttpResponseBase:
        """Answer a link that is not valid, or not for this user."""
        confirmation = EmailConfirmationHMAC.from_key(key)
        if confirmation is None:
            return self._page("invalid", status=404)
        address: EmailAddress = confirmation.email_address
        if not address.can_set_verified():
            return self._page("taken")
        if request.user.is_authenticated and request.user.pk != address.user_id:
            return self._page("other_account")
        if not request.user.is_authenticated and email_addresses.verified_addresses(address.user):
            return redirect_to_login(request.path)
        self.confirmation, self.address = confirmation, address
        return super().dispatch(request)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page("confirm", form=self._form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm the address, and sign in if the password was typed."""
        form = self._form(request)
        if form is not None and not form.is_valid():
            return self._page("confirm", form=form, status=422)
        email_verification.verify_email_and_resume(request, self.confirmation)
        if form is None:
            return redirect("account_email")
        credentials = {"email": self.address.email}
        response: HttpResponse = login.perform_password_login(
            request, credentials, Login(user=self.address.user, email=self.address.email)
        )
        return response

    def _form(self, request: HttpRequest) -> ConfirmAddressForm | None:
        if request.user.is_authenticated:
            return None
        return ConfirmAddressForm(request.POST or None, request=request, address=self.address)

    def _page(self, state: str, *, form: ConfirmAddressForm | None = None, status: int = 200) -> HttpResponse:
        address = getattr(self, "address", None)
        context = {"state": state, "form": form, "address": address, "path": self.request.path}
        return render(self.request, "account/email_confirm.html", context, status=status)
